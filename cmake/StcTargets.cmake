# The two shapes that every folder uses: one static library, one test program.

add_library(stc_warnings INTERFACE)
target_compile_options(stc_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wshadow;-Wno-unused-parameter>)

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
endfunction()

# stc_add_tests(<folder> SOURCES … [LINK …]): one program a folder, so LibTorch is linked once.
function(stc_add_tests folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  add_executable(stc_${folder}_tests ${arg_SOURCES})
  target_link_libraries(stc_${folder}_tests PRIVATE stc::${folder} ${arg_LINK} GTest::gmock GTest::gtest_main
                                                    stc_warnings)
  gtest_discover_tests(stc_${folder}_tests TEST_PREFIX "${folder}." DISCOVERY_MODE PRE_TEST
                       DISCOVERY_TIMEOUT 60 PROPERTIES LABELS ${folder} TIMEOUT 300)
endfunction()
