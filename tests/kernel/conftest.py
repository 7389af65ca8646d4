# SPDX-License-Identifier: ISC
"""Fixtures of the tests on a real kernel: labs that are removed whatever happens."""

import os
import re
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from gatelab import Lab, namespace, wireguard  # noqa: E402  (found by the path above)


def pytest_configure(config):
    """Ended by SIGTERM, the labs are removed as after an interrupt."""
    config.addinivalue_line("markers", "wireguard: needs a kernel with WireGuard")
    config.addinivalue_line("markers", "netem: needs a kernel with sch_netem")
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_runtest_setup(item):
    """A test of tunnels on a kernel without WireGuard is skipped, and says so."""
    if os.geteuid() != 0:
        pytest.skip("needs root for network namespaces")
    if item.get_closest_marker("wireguard") and not wireguard.available():
        pytest.skip("this kernel has no WireGuard; run it by scripts/lib/on-kernel")
    if item.get_closest_marker("netem") and not namespace.has_latency():
        pytest.skip("this kernel has no sch_netem; run it by scripts/lib/on-kernel")


def pytest_collection_modifyitems(config, items):
    """PULLGATE_SHARE=N takes one test in N; PULLGATE_FIRST says which. Rows have a share of their own."""
    share = int(os.environ.get("PULLGATE_SHARE") or 1)
    first = int(os.environ.get("PULLGATE_FIRST") or 0)
    if share == 1 or any("course" in item.fixturenames for item in items):
        return
    config.hook.pytest_deselected(items=[
        item for number, item in enumerate(items) if (number + first) % share != 0])
    items[:] = [item for number, item in enumerate(items) if (number + first) % share == 0]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Tells the fixtures whether the test, or one of its module, failed."""
    outcome = yield
    if outcome.get_result().failed:
        item.failed_in = item.getparent(pytest.Module).failed_in = call.when


def _keep_files(request, lab, number):
    results = os.environ.get("PULLGATE_RESULTS")
    if results and getattr(request.node, "failed_in", None):
        name = re.sub(r"[^A-Za-z0-9_.-]+", "_", request.node.nodeid)
        lab.keep_files(Path(results) / "failed" / name / str(number))


def _labs(request):
    labs = []

    def make(**options):
        labs.append(Lab(**options))
        return labs[-1]

    yield make
    for number, lab in enumerate(labs):
        try:
            _keep_files(request, lab, number)
        finally:
            lab.close()


@pytest.fixture
def make_lab(request):
    """Makes labs: make_lab(origin_latency_ms=20). Files of a failed test go to the results."""
    yield from _labs(request)


@pytest.fixture
def lab(make_lab):
    """A lab of the default kind."""
    return make_lab()


@pytest.fixture(scope="module")
def module_lab(request):
    """A lab for all tests of a module."""
    makers = _labs(request)
    yield next(makers)()
    next(makers, None)
