# LibTorch as one SYSTEM interface target, stc::torch, from a torch wheel or an official LibTorch archive.
#
# find_package(Torch) of the wheel wants a CUDA toolkit even for CPU use and edits global flags; this does neither.
#   STC_LIBTORCH (cache or environment)   folder that holds include/ and lib/ of LibTorch
#   default                               what scripts/setup.sh put into the user's cache, of version STC_TORCH_VERSION
# 2.11 is the oldest that is supported. c10d is not a stable interface: a program runs with the minor version it was built with.

set(STC_TORCH_VERSION 2.13.0 CACHE STRING "LibTorch of the user's cache; scripts/setup.sh installs it")
if(NOT STC_LIBTORCH)
  if(DEFINED ENV{STC_LIBTORCH} AND NOT "$ENV{STC_LIBTORCH}" STREQUAL "")
    set(STC_LIBTORCH "$ENV{STC_LIBTORCH}")
  else()
    if(DEFINED ENV{XDG_CACHE_HOME} AND NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
      set(_cache "$ENV{XDG_CACHE_HOME}/stc")
    else()
      set(_cache "$ENV{HOME}/.cache/stc")
    endif()
    if(STC_CUDA)
      set(_kind cuda)
    else()
      set(_kind cpu)
    endif()
    set(STC_LIBTORCH "${_cache}/libtorch-${STC_TORCH_VERSION}-${_kind}/torch")
  endif()
endif()
set(STC_LIBTORCH "${STC_LIBTORCH}" CACHE PATH "LibTorch: the folder with include/ and lib/")

if(NOT EXISTS "${STC_LIBTORCH}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "No LibTorch in ${STC_LIBTORCH} (lib/libtorch_cpu.so is missing). "
                      "Run scripts/setup.sh, or set STC_LIBTORCH to the folder of an existing LibTorch, 2.11 or newer.")
endif()

file(STRINGS "${STC_LIBTORCH}/include/torch/headeronly/version.h" _numbers REGEX "^#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
string(REGEX MATCHALL "[0-9]+" _numbers "${_numbers}")
list(JOIN _numbers "." LibTorch_VERSION)
if(LibTorch_VERSION VERSION_LESS 2.11)
  message(FATAL_ERROR "${STC_LIBTORCH} is LibTorch ${LibTorch_VERSION}; expected 2.11 or newer. "
                      "Run scripts/setup.sh, or set STC_LIBTORCH to the folder of a newer LibTorch.")
endif()
message(STATUS "LibTorch ${LibTorch_VERSION} in ${STC_LIBTORCH}")

file(GLOB _nvidia_dirs "${STC_LIBTORCH}/../nvidia/*/lib")
set(STC_RUNTIME_DIRS "${STC_LIBTORCH}/lib" ${_nvidia_dirs})

add_library(stc_torch INTERFACE)
add_library(stc::torch ALIAS stc_torch)
target_include_directories(stc_torch SYSTEM INTERFACE "${STC_LIBTORCH}/include"
                                                      "${STC_LIBTORCH}/include/torch/csrc/api/include")
target_compile_definitions(stc_torch INTERFACE USE_DISTRIBUTED)
target_link_libraries(stc_torch INTERFACE "${STC_LIBTORCH}/lib/libtorch_cpu.so" "${STC_LIBTORCH}/lib/libc10.so")
foreach(dir IN LISTS STC_RUNTIME_DIRS)
  target_link_options(stc_torch INTERFACE "LINKER:-rpath-link,${dir}")
endforeach()
list(APPEND CMAKE_BUILD_RPATH ${STC_RUNTIME_DIRS})  # where programs of the build folder find it

if(STC_CUDA)
  # The wheel's NCCL and CUDA headers, not a system's: another NCCL in front gives "undefined reference to ncclSignal".
  set(_nccl "${STC_LIBTORCH}/../nvidia/nccl")
  if(NOT EXISTS "${STC_LIBTORCH}/lib/libtorch_cuda.so" OR NOT EXISTS "${_nccl}/lib/libnccl.so.2")
    message(FATAL_ERROR "No CUDA LibTorch in ${STC_LIBTORCH} (lib/libtorch_cuda.so or ../nvidia/nccl/lib/libnccl.so.2 is "
                        "missing). Run scripts/setup.sh --cuda, or set STC_LIBTORCH.")
  endif()
  # In one item, so that nothing is reordered: the program uses no symbol of libtorch_cuda, yet must load it.
  target_link_libraries(stc_torch INTERFACE
    "-Wl,--push-state,--no-as-needed,${STC_LIBTORCH}/lib/libtorch_cuda.so,${STC_LIBTORCH}/lib/libc10_cuda.so,--pop-state")

  # For the few files that call CUDA or NCCL themselves.
  add_library(stc_torch_cuda INTERFACE)
  add_library(stc::torch_cuda ALIAS stc_torch_cuda)
  target_include_directories(stc_torch_cuda SYSTEM BEFORE INTERFACE "${_nccl}/include"
                                                                    "${STC_LIBTORCH}/../nvidia/cu13/include")
  target_compile_definitions(stc_torch_cuda INTERFACE USE_C10D_NCCL)
  target_link_libraries(stc_torch_cuda INTERFACE "${_nccl}/lib/libnccl.so.2"
                                                 "${STC_LIBTORCH}/../nvidia/cu13/lib/libcudart.so.13" stc::torch)
endif()

set(LibTorch_FOUND TRUE)
