# How everything is compiled: the language, the warnings, the sanitizers.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # Another clone of the same sources finds what this one has compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=true ${CCACHE})
endif()

add_library(tickbridge_settings INTERFACE)
target_compile_options(tickbridge_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow
  -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wimplicit-fallthrough
  $<$<BOOL:${TICKBRIDGE_WERROR}>:-Werror>)
if(TICKBRIDGE_HARDEN AND NOT TICKBRIDGE_SANITIZE AND NOT TICKBRIDGE_FUZZ)
  # What Debian's own packages are built with; PIE is the compiler's default there, and said for those where it is not.
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  add_compile_options(-fstack-protector-strong -fstack-clash-protection
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    add_compile_options(-fcf-protection=full)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64")
    add_compile_options(-mbranch-protection=standard)
  endif()
  add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(TICKBRIDGE_SANITIZE)
  target_compile_options(tickbridge_settings INTERFACE
    -fsanitize=${TICKBRIDGE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(tickbridge_settings INTERFACE -fsanitize=${TICKBRIDGE_SANITIZE})
  if(TICKBRIDGE_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_compile_options(tickbridge_settings INTERFACE -Wno-tsan)  # Asio's fences
  endif()
endif()
if(TICKBRIDGE_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
    message(FATAL_ERROR "TICKBRIDGE_FUZZ needs clang (the preset fuzz takes clang++-19)")
  endif()
  target_compile_options(tickbridge_settings INTERFACE -fsanitize=fuzzer-no-link)  # so that libFuzzer sees the branches
endif()
