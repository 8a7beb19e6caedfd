# One target per folder.
#
#   nimbus_library(registry DEPS nimbus_core nimbus_base_toml PRIVATE_DEPS PkgConfig::GIT2)
#
# makes nimbus_registry from all .cpp files directly in the current folder. The
# folder is visible to others as #include "registry/…" only if they link the
# target: each target has an include root of its own, a folder of links below the
# build tree, so an include that breaks the layers does not compile.

function(nimbus_include_root target)
  file(RELATIVE_PATH folder "${CMAKE_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
  set(root "${CMAKE_BINARY_DIR}/include/${target}")
  get_filename_component(parent "${root}/${folder}" DIRECTORY)
  file(MAKE_DIRECTORY "${parent}")
  if(NOT EXISTS "${root}/${folder}")
    file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${root}/${folder}" SYMBOLIC)
  endif()
  set(NIMBUS_INCLUDE_ROOT "${root}" PARENT_SCOPE)
endfunction()

function(nimbus_library name)
  cmake_parse_arguments(arg "" "" "DEPS;PRIVATE_DEPS;EXCLUDE" ${ARGN})
  set(target "nimbus_${name}")
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  nimbus_include_root(${target})
  if(sources)
    add_library(${target} STATIC ${sources})
    target_include_directories(${target} PUBLIC "${NIMBUS_INCLUDE_ROOT}")
    target_link_libraries(${target} PUBLIC ${arg_DEPS} PRIVATE nimbus_flags ${arg_PRIVATE_DEPS})
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE "${NIMBUS_INCLUDE_ROOT}")
    target_link_libraries(${target} INTERFACE ${arg_DEPS})
  endif()
endfunction()

# nimbus_program(nimbusd main.cpp DEPS …): an installed program.
function(nimbus_program name)
  cmake_parse_arguments(arg "" "" "DEPS" ${ARGN})
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE nimbus_flags ${arg_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  set_property(GLOBAL APPEND PROPERTY NIMBUS_PROGRAMS ${name})
endfunction()

# nimbus_install_manual(nimbusctl): man pages and shell completion of a program with a
# command table (base/args); the program writes them itself.
function(nimbus_install_manual name)
  install(CODE "
    execute_process(COMMAND \"${CMAKE_BINARY_DIR}/bin/${name}\" __install
      \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}\" COMMAND_ERROR_IS_FATAL ANY)")
endfunction()

# nimbus_unit_tests(registry DEPS …): one doctest binary from the current folder.
function(nimbus_unit_tests name)
  cmake_parse_arguments(arg "" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*_test.cpp")
  set(target "unit_${name}")
  add_executable(${target} ${sources})
  target_link_libraries(${target} PRIVATE nimbus_flags nimbus_doctest_main ${arg_DEPS})
  target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/tests/unit")  # for support/
  target_compile_definitions(${target} PRIVATE
    NIMBUS_TEST_DATA="${CMAKE_SOURCE_DIR}/tests" NIMBUS_SOURCE="${CMAKE_SOURCE_DIR}")
  add_test(NAME unit.${name} COMMAND ${target})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()

# nimbus_fuzz_target(toml DEPS …): tests/fuzz/toml_fuzz.cpp with corpus tests/fuzz/corpus/toml.
function(nimbus_fuzz_target name)
  cmake_parse_arguments(arg "" "" "DEPS" ${ARGN})
  add_executable(fuzz_${name} ${name}_fuzz.cpp)
  target_link_libraries(fuzz_${name} PRIVATE nimbus_flags ${arg_DEPS} -fsanitize=fuzzer)
endfunction()
