# `cmake --install BUILD --prefix PREFIX`: the program, the library, its headers, and what find_package(rung) reads.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(headers ${CMAKE_INSTALL_INCLUDEDIR}/rung)  # a folder of their own: #include "engine/rung.h" must not meet another engine/
target_include_directories(rung_engine INTERFACE $<INSTALL_INTERFACE:${headers}>)
target_compile_features(rung_engine PUBLIC cxx_std_20)

install(TARGETS rung RUNTIME)
install(TARGETS rung_engine EXPORT rung ARCHIVE)
install(DIRECTORY src/ DESTINATION ${headers} FILES_MATCHING PATTERN "*.h" PATTERN cli EXCLUDE PATTERN server EXCLUDE)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/rung)
install(EXPORT rung NAMESPACE rung:: DESTINATION ${package})
configure_package_config_file(cmake/rungConfig.cmake.in ${CMAKE_BINARY_DIR}/rungConfig.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/rungConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/rungConfig.cmake ${CMAKE_BINARY_DIR}/rungConfigVersion.cmake DESTINATION ${package})
