# `cmake --install BUILD --prefix PREFIX`: the program, its completions for shells, the library, its headers, and what
# find_package(rung) and pkg-config read.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(headers ${CMAKE_INSTALL_INCLUDEDIR}/rung)  # a folder of their own: "engine/rung.h" must not meet another engine/
target_include_directories(rung_engine INTERFACE $<INSTALL_INTERFACE:${headers}>)

install(TARGETS rung_engine EXPORT rung ARCHIVE)
install(DIRECTORY src/ DESTINATION ${headers}
  FILES_MATCHING PATTERN "*.h" PATTERN cli EXCLUDE PATTERN learn EXCLUDE PATTERN server EXCLUDE)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/rung)
install(EXPORT rung NAMESPACE rung:: DESTINATION ${package})
configure_package_config_file(cmake/rungConfig.cmake.in ${PROJECT_BINARY_DIR}/rungConfig.cmake
  INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/rungConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/rungConfig.cmake ${PROJECT_BINARY_DIR}/rungConfigVersion.cmake
  DESTINATION ${package})

# Paths relative to where rung.pc lies, so that what was installed can be moved.
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/rung.pc.in ${PROJECT_BINARY_DIR}/rung.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/rung.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(RUNG_CLI)
  install(TARGETS rung RUNTIME)
  # Each where its shell looks, under the name that it looks for; written by the program itself.
  set(completions ${PROJECT_BINARY_DIR}/completions)
  add_custom_command(OUTPUT ${completions}/rung ${completions}/_rung ${completions}/rung.fish
    COMMAND ${CMAKE_COMMAND} -E make_directory ${completions}
    COMMAND rung --completions bash > ${completions}/rung
    COMMAND rung --completions zsh > ${completions}/_rung
    COMMAND rung --completions fish > ${completions}/rung.fish
    DEPENDS rung VERBATIM)
  add_custom_target(rung_completions ALL DEPENDS ${completions}/rung)
  install(FILES ${completions}/rung DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${completions}/_rung DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${completions}/rung.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()
