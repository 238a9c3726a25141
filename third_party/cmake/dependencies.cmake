# dependencies.cmake - what is needed of the system, and what to type when it is missing.
#
# Sets LG_LINKED (what the core links), LUA_*, EDIT_* and LG_BLAS_*, and LG_FOUND for the
# summary. OpenBLAS is no part of LG_LINKED: it is loaded when first needed.
set(LG_FOUND "")

function(lg_missing what package level consequence)
    message(${level} "${what} is missing${consequence}. To install what is missing:\n"
        "    ${PROJECT_SOURCE_DIR}/third_party/bootstrap\n"
        "or, on Debian and Ubuntu, this alone:\n    apt-get install ${package}")
endfunction()

macro(lg_found what version)
    list(APPEND LG_FOUND "${what} ${version}")
endmacro()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig QUIET)
if(NOT PKG_CONFIG_FOUND)
    lg_missing("pkg-config" pkg-config FATAL_ERROR "")
endif()

pkg_search_module(LUA QUIET lua5.4>=5.4 lua-5.4>=5.4 lua54>=5.4 lua>=5.4)
if(NOT LUA_FOUND)
    lg_missing("Lua 5.4" liblua5.4-dev FATAL_ERROR "")
endif()
lg_found(Lua "${LUA_VERSION}")

find_package(ZLIB QUIET)
if(NOT ZLIB_FOUND)
    lg_missing(zlib zlib1g-dev FATAL_ERROR "")
endif()
find_package(PNG QUIET)
if(NOT PNG_FOUND)
    lg_missing(libpng libpng-dev FATAL_ERROR "")
endif()
lg_found(libpng "${PNG_VERSION_STRING}")
lg_found(zlib "${ZLIB_VERSION_STRING}")
set(LG_LINKED PNG::PNG ZLIB::ZLIB Threads::Threads m ${CMAKE_DL_LIBS})

pkg_check_modules(BLAS QUIET openblas)
if(BLAS_FOUND)
    set(LG_BLAS_INCLUDE_DIRS ${BLAS_INCLUDE_DIRS})
    set(LG_BLAS_DEFINITIONS LG_BLAS_LIBRARY="libopenblas.so.0")
    if(APPLE)
        set(LG_BLAS_DEFINITIONS LG_BLAS_LIBRARY="${BLAS_LIBDIR}/libopenblas.dylib")
    endif()
    set(LG_BLAS_VERSION ${BLAS_VERSION})
    lg_found(OpenBLAS "${BLAS_VERSION}")
else()
    lg_missing(OpenBLAS libopenblas-dev WARNING ": products use the engine's own kernel")
    set(LG_BLAS_DEFINITIONS LG_NO_BLAS)
    set(LG_BLAS_VERSION none)
endif()

find_package(JPEG QUIET)
if(JPEG_FOUND)
    set(LG_JPEG_DEFINITIONS LG_JPEG)
    list(APPEND LG_LINKED JPEG::JPEG)
    lg_found(libjpeg "${JPEG_VERSION}")
else()
    lg_missing(libjpeg libjpeg-dev STATUS ": image folders are read as PNG alone")
endif()

pkg_check_modules(EDIT QUIET libedit)
if(EDIT_FOUND)
    set(EDIT_DEFINITIONS LG_EDIT)
    lg_found(libedit "${EDIT_VERSION}")
else()
    lg_missing(libedit libedit-dev STATUS ": the prompt reads plain lines")
endif()
