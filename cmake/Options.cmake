# What every target is compiled and linked with: C11, warnings as errors, hardening.
#
# Hardening is on by default; sanitizer builds turn _FORTIFY_SOURCE off, which they can't share.
include(CheckCCompilerFlag)

set(PULLGATE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them; empty for none")

add_library(pullgate_options INTERFACE)
target_include_directories(pullgate_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(pullgate_options INTERFACE _GNU_SOURCE)
target_compile_options(pullgate_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Werror -fno-common
  -Wno-format-zero-length) # a log event may have no pairs

if(PULLGATE_SANITIZE)
  target_compile_options(pullgate_options INTERFACE
    -fsanitize=${PULLGATE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(pullgate_options INTERFACE -fsanitize=${PULLGATE_SANITIZE})
else()
  target_compile_options(pullgate_options INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong)
  foreach(flag -fstack-clash-protection -fcf-protection=full)
    string(MAKE_C_IDENTIFIER ${flag} known)
    check_c_compiler_flag(${flag} ${known})
    if(${known})
      target_compile_options(pullgate_options INTERFACE ${flag})
    endif()
  endforeach()
  target_link_options(pullgate_options INTERFACE
    -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
