# The two shapes that every folder uses: one static library, one test program.

add_library(stc_warnings INTERFACE)
target_compile_options(stc_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wshadow;-Wno-unused-parameter>)

# ATen.h is most of what a file costs to compile: read once, for every folder that includes it. ccache needs
# -fpch-preprocess to see into it.
function(stc_use_torch_headers target)
  if(NOT TARGET stc_torch_headers)
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/torch_headers.cpp CONTENT "")
    add_library(stc_torch_headers OBJECT ${PROJECT_BINARY_DIR}/torch_headers.cpp)
    target_link_libraries(stc_torch_headers PRIVATE stc::torch Threads::Threads stc_warnings)
    target_precompile_headers(stc_torch_headers PRIVATE $<$<COMPILE_LANGUAGE:CXX>:<ATen/ATen.h$<ANGLE-R>>)
    target_compile_options(stc_torch_headers PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>)
  endif()
  target_precompile_headers(${target} REUSE_FROM stc_torch_headers)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>)
endfunction()

# stc_add_library(<folder> SOURCES … [CUDA_SOURCES …] [PUBLIC …] [PRIVATE …])
function(stc_add_library folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;CUDA_SOURCES;PUBLIC;PRIVATE")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "stc_add_library(${folder}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  add_library(stc_${folder} STATIC ${arg_SOURCES})
  add_library(stc::${folder} ALIAS stc_${folder})
  if(STC_CUDA)
    target_sources(stc_${folder} PRIVATE ${arg_CUDA_SOURCES})
    target_compile_definitions(stc_${folder} PRIVATE STC_CUDA)
  endif()
  target_include_directories(stc_${folder} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(stc_${folder} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE} stc_warnings)
  if(NOT folder STREQUAL "monitoring")
    stc_use_torch_headers(stc_${folder})
  endif()
endfunction()

# stc_add_tests(<folder> SOURCES … [LINK …]): one program a folder, so LibTorch is linked once.
function(stc_add_tests folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  add_executable(stc_${folder}_tests ${arg_SOURCES})
  target_link_libraries(stc_${folder}_tests PRIVATE stc::${folder} ${arg_LINK} GTest::gmock GTest::gtest_main
                                                    stc_warnings)
  if(NOT folder STREQUAL "monitoring")
    stc_use_torch_headers(stc_${folder}_tests)
  endif()
  gtest_discover_tests(stc_${folder}_tests TEST_PREFIX "${folder}." DISCOVERY_MODE PRE_TEST
                       DISCOVERY_TIMEOUT 60 PROPERTIES LABELS ${folder} TIMEOUT 300)
endfunction()

# stc_add_shell_test(<folder> <name> [argument…]): tests/<folder>/<name>_test.sh over the built program; 77 is a skip, said so.
function(stc_add_shell_test folder name)
  add_test(NAME ${folder}.${name} COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/${name}_test.sh $<TARGET_FILE:stc> ${ARGN})
  # Under mpirun a leak check names what Open MPI's unloaded plugins keep.
  set_tests_properties(${folder}.${name} PROPERTIES LABELS ${folder} TIMEOUT 600 PROCESSORS 2 SKIP_RETURN_CODE 77
                                                    ENVIRONMENT ASAN_OPTIONS=detect_leaks=0)
endfunction()
