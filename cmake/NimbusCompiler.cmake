# Warnings, hardening, sanitizers and ccache, as one interface target that every
# target of the project links: nimbus_flags.
include(CheckCXXCompilerFlag)
include(CheckLinkerFlag)

find_program(NIMBUS_CCACHE ccache)
if(NIMBUS_CCACHE)
  # Paths relative to the source folder, so that two checkouts share the cache.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${NIMBUS_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")

add_library(nimbus_flags INTERFACE)

function(nimbus_add_compile_flags)
  foreach(flag IN LISTS ARGN)
    string(MAKE_C_IDENTIFIER "NIMBUS_HAS${flag}" known)
    check_cxx_compiler_flag("${flag}" ${known})
    if(${known})
      target_compile_options(nimbus_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:${flag}>)
    endif()
  endforeach()
endfunction()

function(nimbus_add_link_flags)
  foreach(flag IN LISTS ARGN)
    string(MAKE_C_IDENTIFIER "NIMBUS_LINKS${flag}" known)
    check_linker_flag(CXX "${flag}" ${known})
    if(${known})
      target_link_options(nimbus_flags INTERFACE "${flag}")
    endif()
  endforeach()
endfunction()

nimbus_add_compile_flags(
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor
  -Woverloaded-virtual -Wduplicated-cond -Wlogical-op -Wswitch-enum -Wsuggest-override
  -Wformat=2 -Wimplicit-fallthrough -Wold-style-cast -Wundef
  -Wtrampolines -Wbidi-chars=any
  -Wno-missing-field-initializers)  # designated initialisers leave the rest at its default on purpose
# Needs -Wformat beside it, so the one-flag check above would refuse it.
target_compile_options(nimbus_flags INTERFACE -Wformat -Werror=format-security)
if(NIMBUS_WERROR)
  target_compile_options(nimbus_flags INTERFACE -Werror)
endif()

# The OpenSSF hardening guide's list, as far as this compiler takes it.
nimbus_add_compile_flags(
  -fstack-clash-protection -fstack-protector-strong -fno-delete-null-pointer-checks
  -fno-strict-overflow -fno-strict-aliasing -ftrivial-auto-var-init=zero
  -fstrict-flex-arrays=3 -fzero-init-padding-bits=all)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  nimbus_add_compile_flags(-fcf-protection=full)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  nimbus_add_compile_flags(-mbranch-protection=standard)
endif()
target_compile_definitions(nimbus_flags INTERFACE _GLIBCXX_ASSERTIONS)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(nimbus_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()

if(NIMBUS_SANITIZE)
  target_compile_options(nimbus_flags INTERFACE
    -fsanitize=${NIMBUS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
  # g++ 12 takes the sanitizers' own bookkeeping for reads of unset values (in fmt).
  target_compile_options(nimbus_flags INTERFACE -Wno-uninitialized)
  nimbus_add_compile_flags(-Wno-maybe-uninitialized)
  target_link_options(nimbus_flags INTERFACE -fsanitize=${NIMBUS_SANITIZE})
else()
  nimbus_add_link_flags(
    -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,nodlopen -Wl,-z,separate-code
    -Wl,--as-needed -Wl,--no-copy-dt-needed-entries)
  set(CMAKE_EXE_LINKER_FLAGS "${CMAKE_EXE_LINKER_FLAGS} -pie")
endif()
if(NIMBUS_FUZZ)
  target_compile_options(nimbus_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

target_compile_options(nimbus_flags INTERFACE -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
find_package(Threads REQUIRED)
target_link_libraries(nimbus_flags INTERFACE Threads::Threads)
