# install.cmake - what `cmake --install` and cpack put where: the library and its headers, trit.pc,
# a CMake package, and the program with its manual and completions.

install(TARGETS trit trit_shared EXPORT trit
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES include/trit.h include/trit_tools.h include/trit.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# ---- find_package(trit): the targets trit::trit (static) and trit::trit_shared ------------------

include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/trit)
install(EXPORT trit NAMESPACE trit:: FILE trit-targets.cmake DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/trit-config-version.cmake
  COMPATIBILITY SameMinorVersion)
file(WRITE ${PROJECT_BINARY_DIR}/trit-config.cmake [[
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/trit-targets.cmake)
]])
install(FILES ${PROJECT_BINARY_DIR}/trit-config.cmake
  ${PROJECT_BINARY_DIR}/trit-config-version.cmake DESTINATION ${package})

# ---- pkg-config: paths are relative to the file, so that an installation can be moved -----------

file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
file(CONFIGURE OUTPUT trit.pc @ONLY CONTENT [[
prefix=${pcfiledir}/@up@
Name: trit
Description: @PROJECT_DESCRIPTION@
Version: @PROJECT_VERSION@
Cflags: -I${prefix}/@CMAKE_INSTALL_INCLUDEDIR@
Libs: -L${prefix}/@CMAKE_INSTALL_LIBDIR@ -ltrit
Libs.private: -pthread -lm
]])
install(FILES ${PROJECT_BINARY_DIR}/trit.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# ---- The program, which prints its manual and completions from its tables -----------------------

function(trit_install_output file folder)
  set(out ${PROJECT_BINARY_DIR}/share/${file})
  add_custom_command(OUTPUT ${out} DEPENDS trit_program
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/share
    COMMAND trit_program ${ARGN} > ${out})
  set_property(GLOBAL APPEND PROPERTY TRIT_OUTPUTS ${out})
  install(FILES ${out} DESTINATION ${folder})
endfunction()

function(trit_install_program)
  install(TARGETS trit_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  if(CMAKE_CROSSCOMPILING)
    return()
  endif()
  set(data ${CMAKE_INSTALL_DATADIR})
  trit_install_output(trit.1 ${CMAKE_INSTALL_MANDIR}/man1 man)
  trit_install_output(trit ${data}/bash-completion/completions completion bash)
  trit_install_output(_trit ${data}/zsh/site-functions completion zsh)
  trit_install_output(trit.fish ${data}/fish/vendor_completions.d completion fish)
  get_property(outputs GLOBAL PROPERTY TRIT_OUTPUTS)
  add_custom_target(trit_share ALL DEPENDS ${outputs})
endfunction()

# ---- cpack: a .tar.gz, and a .deb where dpkg is --------------------------------------------------

if(NOT top_level) # the packages are those of the other project
  return()
endif()
set(CPACK_GENERATOR TGZ)
find_program(TRIT_DPKG dpkg)
if(TRIT_DPKG)
  list(APPEND CPACK_GENERATOR DEB)
endif()
find_program(TRIT_SHLIBDEPS dpkg-shlibdeps)
if(TRIT_SHLIBDEPS)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
else()
  set(CPACK_DEBIAN_PACKAGE_DEPENDS libc6)
endif()
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "trit developers <trit@localhost>")
set(CPACK_PACKAGE_CONTACT ${CPACK_DEBIAN_PACKAGE_MAINTAINER})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
include(CPack)
