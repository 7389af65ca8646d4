# SPDX-License-Identifier: ISC
"""The table "the origin does X": what its answers must come to, for whatever it may do.

row.py says what a row is, stage.py which rows share an origin, course.py runs them against a real
pullgate; the other files hold the rows, each with the origin that they need.
"""
