# Run by each build (cmake -P) with SOURCE, VERSION and OUTPUT: writes the header that launcher/version.cpp includes.
# The file is touched only when its content changes, so a build without a new commit compiles nothing.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --match v*
                OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(revision "")
endif()
set(content "#define STC_VERSION std::string(\"${VERSION}\")\n#define STC_GIT_REVISION \"${revision}\"\n")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT "${before}" STREQUAL "${content}")
  file(WRITE ${OUTPUT} "${content}")
endif()
