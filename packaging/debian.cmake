# The Debian packages, which tools/package makes: ocrpipe, libocrpipe-dev and libocrpipe-tesseract-dev.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ocrpipe)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
# Older than the first revision that a distribution would make.
set(CPACK_DEBIAN_PACKAGE_RELEASE 0upstream1)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# As Debian's own tools take it.
if(DEFINED ENV{DEBEMAIL})
  set(CPACK_DEBIAN_PACKAGE_MAINTAINER "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
else()
  set(CPACK_DEBIAN_PACKAGE_MAINTAINER "ocrpipe maintainers <ocrpipe@example.org>")
endif()

string(TIMESTAMP changelog_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(READ ${PROJECT_SOURCE_DIR}/LICENSE license)
string(REGEX REPLACE "\n+$" "" license "${license}")
string(REPLACE "\n\n" "\n.\n" license "${license}")
string(REPLACE "\n" "\n " license "${license}")
configure_file(debian-copyright.in copyright @ONLY)
configure_file(debian-changelog.in changelog.Debian @ONLY)
execute_process(COMMAND ${GZIP} -9nkf ${CMAKE_CURRENT_BINARY_DIR}/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)

# What a program that uses the libraries is built with; tests/setup_test.py compares it with tools/setup.sh.
set(library_depends libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev libssl-dev libfmt-dev zlib1g-dev libutf8proc-dev libsqlite3-dev)
set(engine_depends libtesseract-dev libleptonica-dev libpoppler-cpp-dev)

# debian_package(GROUP PACKAGE SECTION DESCRIPTION COMPONENTS component...): a package that contains these components.
macro(debian_package group package section description)
  string(TOUPPER ${group} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${package})
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section})
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "${description}")
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/copyright ${CMAKE_CURRENT_BINARY_DIR}/changelog.Debian.gz
          DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${group}_documents)
  foreach(component ${ARGN} ${group}_documents)
    string(TOUPPER ${component} component_upper)
    set(CPACK_COMPONENT_${component_upper}_GROUP ${group})
    list(APPEND CPACK_COMPONENTS_ALL ${component})
  endforeach()
endmacro()

set(CPACK_COMPONENTS_ALL "")
debian_package(command ocrpipe utils "client of an OCR service that works by submit and poll
The command ocrpipe sends documents to an OCR service and collects the
results: one document at a time, or millions in one run. An interrupted run
continues where it stopped, and no document is paid for twice. The package
contains an emulator of the service for trials." program)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SHLIBDEPS ON)
# The emulator reads documents in these languages, and draws samples with this font.
set(CPACK_DEBIAN_COMMAND_PACKAGE_RECOMMENDS "ca-certificates, tesseract-ocr-eng, tesseract-ocr-vie, fonts-dejavu-core")
debian_package(development libocrpipe-dev libdevel "client library for an OCR service that works by submit and poll
A C++20 library on Boost.Asio for servers and batch programs that need OCR,
compiled and header-only. The package contains the durable ledger in SQLite,
and an emulator of the service for tests." header_only library sqlite_ledger emulator)
list(JOIN library_depends ", " CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS pkgconf)
if(TARGET ocrpipe_tesseract_engine)
  debian_package(engine libocrpipe-tesseract-dev libdevel "engine that lets the emulator of libocrpipe-dev read documents
With this library, the emulator of the OCR service reads documents with
Tesseract and poppler instead of making up their text." tesseract_engine)
  list(JOIN engine_depends ", " CPACK_DEBIAN_ENGINE_PACKAGE_DEPENDS)
  string(PREPEND CPACK_DEBIAN_ENGINE_PACKAGE_DEPENDS "libocrpipe-dev (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}), ")
endif()
include(CPack)
