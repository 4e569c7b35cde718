# postkit_install_library(NAME DEPENDS CODE): everything that makes the static library postkit_NAME usable from outside:
# the alias postkit::NAME, include paths, installation of archive and headers, a CMake package postkit-NAME (CODE finds
# what it depends on) and a pkg-config file made from postkit-NAME.pc.in.
function(postkit_install_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DEPENDS" "")
  set(target postkit_${name})
  set(package postkit-${name})
  set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/${package})

  add_library(postkit::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} OUTPUT_NAME ${package})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                              $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/postkit>)

  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.h)
  install(FILES ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/postkit/${name})
  install(TARGETS ${target} EXPORT ${package} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT ${package} NAMESPACE postkit:: FILE ${package}-targets.cmake DESTINATION ${package_directory})
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${package}-config.cmake
       "include(CMakeFindDependencyMacro)\n${arg_DEPENDS}\n"
       "include(\${CMAKE_CURRENT_LIST_DIR}/${package}-targets.cmake)\n")
  write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/${package}-config-version.cmake
                                   COMPATIBILITY SameMinorVersion)
  # pkg-config finds the prefix from where its file lies: the tree can be moved.
  file(RELATIVE_PATH prefix_from_pc ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
  configure_file(${package}.pc.in ${package}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${package}-config.cmake
                ${CMAKE_CURRENT_BINARY_DIR}/${package}-config-version.cmake DESTINATION ${package_directory})
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${package}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()
