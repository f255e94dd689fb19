# OpenCV's modules as opencv_core, ... . Debian keeps OpenCVConfig.cmake in libopencv-dev, which pulls in half a desktop;
# the small -dev packages of single modules are enough, so headers and libraries are looked up directly.
find_path(STC_OPENCV_INCLUDE opencv2/core.hpp PATH_SUFFIXES opencv4)
set(_found STC_OPENCV_INCLUDE)
foreach(module IN LISTS OpenCVModules_FIND_COMPONENTS)
  find_library(STC_OPENCV_${module} opencv_${module})
  list(APPEND _found STC_OPENCV_${module})
  if(STC_OPENCV_INCLUDE AND STC_OPENCV_${module} AND NOT TARGET opencv_${module})
    add_library(opencv_${module} UNKNOWN IMPORTED)
    set_target_properties(opencv_${module} PROPERTIES IMPORTED_LOCATION "${STC_OPENCV_${module}}"
                                                      INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${STC_OPENCV_INCLUDE}"
                                                      INTERFACE_INCLUDE_DIRECTORIES "${STC_OPENCV_INCLUDE}")
  endif()
endforeach()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenCVModules REQUIRED_VARS ${_found})
