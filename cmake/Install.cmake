# `cmake --install` and CPack: a prefix that may be moved and that any user may run. The CPU's LibTorch comes along, in
# lib/stc; one with CUDA, of several gigabytes, is used where it lies.
include(GNUInstallDirs)

set(_private ${CMAKE_INSTALL_LIBDIR}/stc)
if(STC_CUDA)
  set_target_properties(stc PROPERTIES INSTALL_RPATH "${STC_RUNTIME_DIRS}")
else()
  file(RELATIVE_PATH _from_program ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR}/stc)
  set_target_properties(stc PROPERTIES INSTALL_RPATH "$ORIGIN/${_from_program}")
  set(_libraries "${STC_LIBTORCH}/lib/libtorch_cpu.so" "${STC_LIBTORCH}/lib/libc10.so")
  # What these two need beside the system's; other LibTorch builds have fewer.
  file(GLOB _needed "${STC_LIBTORCH}/lib/libgomp*.so*" "${STC_LIBTORCH}/../nvidia/*/lib/libcudart.so.*"
                    "${STC_LIBTORCH}/../nvidia/*/lib/libcupti.so.*")
  install(PROGRAMS ${_libraries} ${_needed} DESTINATION ${_private})
  file(GLOB _licences "${STC_LIBTORCH}/../*.dist-info/licenses")
  foreach(_folder IN LISTS _licences)
    cmake_path(GET _folder PARENT_PATH _wheel)
    cmake_path(GET _wheel STEM LAST_ONLY _name)
    install(DIRECTORY ${_folder}/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/licences/${_name})
  endforeach()
endif()

install(TARGETS stc RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY configs slurm DESTINATION ${CMAKE_INSTALL_DATADIR}/stc USE_SOURCE_PERMISSIONS)
install(FILES docs/demo.jpg DESTINATION ${CMAKE_INSTALL_DATADIR}/stc/docs)  # what slurm/smoke.sbatch draws with
install(DIRECTORY monitoring/alerts monitoring/dashboards DESTINATION ${CMAKE_INSTALL_DATADIR}/stc/monitoring)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md" PATTERN "*.jpg")
install(FILES README.md LICENSE THIRD_PARTY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES cmake/completion.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME stc)

# The manual is what the program says of itself, so it cannot go stale.
set(_manual ${PROJECT_BINARY_DIR}/stc.1)
install(CODE "execute_process(COMMAND \"${CMAKE_COMMAND}\" -DSTC=$<TARGET_FILE:stc> -DVERSION=${PROJECT_VERSION}
                -DOUTPUT=${_manual} -P ${PROJECT_SOURCE_DIR}/cmake/ManualPage.cmake COMMAND_ERROR_IS_FATAL ANY)")
install(FILES ${_manual} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "the maintainers of stc")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "trains features for video correspondence without labels, on many GPUs")
if(STC_CUDA)
  set(CPACK_PACKAGE_DESCRIPTION "LibTorch ${STC_TORCH_VERSION} with CUDA is not inside: it is used from ${STC_LIBTORCH},
 which all users must be able to read.")
else()
  set(CPACK_PACKAGE_DESCRIPTION "LibTorch ${STC_TORCH_VERSION} (CPU) is inside, in lib/stc, taken from ${STC_LIBTORCH}
 when the package was made.")
endif()
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
set(CPACK_DEBIAN_PACKAGE_DEPENDS openmpi-bin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${STC_RUNTIME_DIRS})
include(CPack)
