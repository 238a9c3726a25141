# install.cmake - what cmake --install puts where.
#
# lib/lua/5.4 is where a stock lua5.4 looks when the prefix is /usr/local. A package for a
# distribution names its own folder with -DLG_MODULE_DIR.
include(CMakePackageConfigHelpers)
set(LG_MODULE_DIR lib/lua/5.4 CACHE STRING "Where the Lua module is installed")
set(LG_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/lugano)

install(TARGETS lugano_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS lugano_module LIBRARY DESTINATION ${LG_MODULE_DIR})
install(TARGETS lugano EXPORT lugano-library
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS lugano_static EXPORT lugano-core
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES src/lugano.h src/lugano_lua.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/lugano)
install(DIRECTORY lua/library DESTINATION ${CMAKE_INSTALL_DATADIR}/lugano)

# For find_package(lugano): lugano::lugano, and lugano::core where libpng is there, and
# libjpeg if it was built with that.
set(LG_NEEDS_JPEG FALSE)
if(JPEG_FOUND)
    set(LG_NEEDS_JPEG TRUE)
endif()
install(EXPORT lugano-library NAMESPACE lugano:: DESTINATION ${LG_PACKAGE_DIR})
install(EXPORT lugano-core NAMESPACE lugano:: DESTINATION ${LG_PACKAGE_DIR})
file(CONFIGURE OUTPUT lugano-config.cmake @ONLY CONTENT [[
include(${CMAKE_CURRENT_LIST_DIR}/lugano-library.cmake)
find_package(PNG QUIET)
find_package(ZLIB QUIET)
set(LG_NEEDS_JPEG @LG_NEEDS_JPEG@)
if(LG_NEEDS_JPEG)
    find_package(JPEG QUIET)
endif()
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads QUIET)
if(PNG_FOUND AND ZLIB_FOUND AND Threads_FOUND AND (JPEG_FOUND OR NOT LG_NEEDS_JPEG))
    include(${CMAKE_CURRENT_LIST_DIR}/lugano-core.cmake)
endif()
]])
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/lugano-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/lugano-config.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/lugano-config-version.cmake DESTINATION ${LG_PACKAGE_DIR})

# For pkg-config. The prefix is found from the file's own place, so that it may be moved.
file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
set(define "")
if(LG_DOUBLE)
    set(define " -DLG_DOUBLE")
endif()
file(CONFIGURE OUTPUT lugano.pc @ONLY CONTENT
"prefix=\${pcfiledir}/${up}
includedir=\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}
libdir=\${prefix}/${CMAKE_INSTALL_LIBDIR}

Name: lugano
Description: ${PROJECT_DESCRIPTION}
Version: ${PROJECT_VERSION}
Cflags: -I\${includedir}${define}
Libs: -L\${libdir} -llugano
")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/lugano.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
