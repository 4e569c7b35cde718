# Packages: cpack -G DEB makes postkit, and a package postkit-TYPE for each table module, so that a host gets the client
# libraries of its own tables only. cpack -G TGZ makes one archive of everything.
set(CPACK_PACKAGE_VENDOR Postkit)
set(CPACK_PACKAGE_CONTACT "Postkit <postmaster@localhost>")
set(CPACK_GENERATOR TGZ)
# Where this build is installed to: under /usr there are Postfix's own tools.
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION mail)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_POSTKIT_PACKAGE_NAME postkit)

get_property(modules GLOBAL PROPERTY POSTKIT_TABLE_MODULES)
set(CPACK_COMPONENTS_ALL ${CMAKE_INSTALL_DEFAULT_COMPONENT_NAME} ${modules})
foreach(type IN LISTS modules)
  string(TOUPPER ${type} component)
  set(CPACK_DEBIAN_${component}_PACKAGE_NAME postkit-${type})
  # A module and the program that loads it are of the same build.
  set(CPACK_DEBIAN_${component}_PACKAGE_DEPENDS "postkit (= ${PROJECT_VERSION})")
  set(CPACK_COMPONENT_${component}_DESCRIPTION "${type}: lookup tables of Postkit")
endforeach()
include(CPack)
