# What the Debian package holds, and how it is made (target deb): packaging/README.md.
include(GNUInstallDirs)
set(TICKBRIDGE_MAINTAINER "The tickbridge authors <tickbridge@lists.example.org>" CACHE STRING "Who answers for the package")
set(package_dir ${CMAKE_BINARY_DIR}/package)
set(doc_dir ${CMAKE_INSTALL_DATADIR}/doc/tickbridge)
configure_file(${CMAKE_SOURCE_DIR}/packaging/changelog.in ${package_dir}/changelog.Debian @ONLY)

# Debian wants man pages and change logs compressed, and the same bytes each time (-n).
set(package_zipped "")
function(install_zipped source name destination component)
  add_custom_command(OUTPUT ${package_dir}/${name}.gz COMMAND gzip -9nc ${source} > ${package_dir}/${name}.gz DEPENDS ${source})
  set(package_zipped ${package_zipped} ${package_dir}/${name}.gz PARENT_SCOPE)
  install(FILES ${package_dir}/${name}.gz DESTINATION ${destination} COMPONENT ${component} EXCLUDE_FROM_ALL)
endfunction()
# install_files(DESTINATION FILE...): of the daemon's package; a few only exist in packages, so an install by hand leaves them out.
function(install_files destination)
  install(FILES ${ARGN} DESTINATION ${destination} COMPONENT daemon EXCLUDE_FROM_ALL)
endfunction()

set(package_programs tickbridge tickbridge-exchange tickbridge-verify tickbridge-embedded-broker)
install(TARGETS ${package_programs} COMPONENT daemon)
install(TARGETS tickbridge_api FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)

foreach(page tickbridge.8 tickbridge.toml.5 tickbridge-exchange.1 tickbridge-verify.1 tickbridge-embedded-broker.1)
  string(REGEX REPLACE ".*\\." "" section ${page})
  install_zipped(${CMAKE_SOURCE_DIR}/docs/man/${page} ${page} ${CMAKE_INSTALL_MANDIR}/man${section} daemon)
endforeach()
install_files(lib/systemd/system config/systemd/tickbridge.service config/systemd/tickbridge@.service)
install(FILES config/systemd/tickbridge.sysusers DESTINATION lib/sysusers.d RENAME tickbridge.conf COMPONENT daemon EXCLUDE_FROM_ALL)
# postinst gives both to the group tickbridge, which is not there yet when they are unpacked.
install(FILES config/tickbridge.toml DESTINATION /etc/tickbridge PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ
  COMPONENT daemon EXCLUDE_FROM_ALL)
install(DIRECTORY DESTINATION /etc/tickbridge/credentials DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
  COMPONENT daemon EXCLUDE_FROM_ALL)

# Documents: what people who run it read.
install(DIRECTORY docs/ DESTINATION ${doc_dir} COMPONENT daemon EXCLUDE_FROM_ALL FILES_MATCHING PATTERN "*.md"
  PATTERN benchmarks EXCLUDE PATTERN man EXCLUDE PATTERN testing.md EXCLUDE)
install_files(${doc_dir} NOTICE)
install_files(${doc_dir}/profiles config/profiles/low-latency.toml config/profiles/throughput.toml)
foreach(file prometheus/tickbridge.rules.yml grafana/tickbridge.json)
  get_filename_component(folder ${file} DIRECTORY)
  if(EXISTS ${CMAKE_SOURCE_DIR}/config/${file})
    install_files(${CMAKE_INSTALL_DATADIR}/tickbridge/${folder} config/${file})
  endif()
endforeach()
install_files(${doc_dir} packaging/copyright)
install_zipped(${CMAKE_SOURCE_DIR}/CHANGELOG.md changelog ${doc_dir} daemon)
install_zipped(${package_dir}/changelog.Debian changelog.Debian ${doc_dir} daemon)
install(FILES packaging/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME tickbridge
  COMPONENT daemon EXCLUDE_FROM_ALL)
foreach(component dev dbg)
  install(FILES packaging/copyright ${package_dir}/changelog.Debian.gz DESTINATION ${doc_dir}-${component}
    COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()
list(TRANSFORM package_programs PREPEND ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/ OUTPUT_VARIABLE package_paths)
install(CODE "set(programs \"${package_paths}\")" COMPONENT dbg EXCLUDE_FROM_ALL)
install(SCRIPT cmake/debug_symbols.cmake COMPONENT dbg EXCLUDE_FROM_ALL)
add_custom_target(package_files DEPENDS ${package_zipped})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_SET_DESTDIR ON)  # /etc is not below the prefix
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL daemon dev dbg)
set(CPACK_PACKAGE_NAME tickbridge)
set(CPACK_PACKAGE_CONTACT ${TICKBRIDGE_MAINTAINER})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_DAEMON_PACKAGE_NAME tickbridge)
set(CPACK_DEBIAN_DAEMON_PACKAGE_SECTION net)
set(CPACK_DEBIAN_DAEMON_PACKAGE_SHLIBDEPS ON)
# systemd-sysusers makes the user; tzdata: times of the exchange's day.
set(CPACK_DEBIAN_DAEMON_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers, tzdata")
set(CPACK_DEBIAN_DAEMON_PACKAGE_CONTROL_EXTRA
  ${CMAKE_SOURCE_DIR}/packaging/postinst ${CMAKE_SOURCE_DIR}/packaging/prerm ${CMAKE_SOURCE_DIR}/packaging/postrm
  ${CMAKE_SOURCE_DIR}/packaging/conffiles)
set(CPACK_DEBIAN_DAEMON_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_COMPONENT_DAEMON_DESCRIPTION "exchange market-data feeds into Apache Kafka
Reads exchange feeds over TCP (SoupBinTCP, or any length-prefixed framing) and
writes every valid message to Apache Kafka: in order per instrument, exactly
once, through crashes of the daemon, of brokers and of connections.

Also here: an exchange simulator, an embedded broker for trying out, and a
verifier that compares a topic with what a feed must have produced.")
set(CPACK_DEBIAN_DEV_PACKAGE_NAME tickbridge-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_ARCHITECTURE all)
set(CPACK_COMPONENT_DEV_DESCRIPTION "headers for consumers of tickbridge's topics
The layout of the records that tickbridge writes, and typed views of the
ITCH 5.0 messages in them. Header-only, C++17, standard library only.")
set(CPACK_DEBIAN_DBG_PACKAGE_NAME tickbridge-dbg)
set(CPACK_DEBIAN_DBG_PACKAGE_SECTION debug)
set(CPACK_DEBIAN_DBG_PACKAGE_DEPENDS "tickbridge (= ${PROJECT_VERSION}-1)")
set(CPACK_COMPONENT_DBG_DESCRIPTION "debug symbols of tickbridge
For reading core dumps and profiles of the programs in tickbridge.")
include(CPack)

add_custom_target(deb
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${CPACK_PACKAGE_DIRECTORY}
  COMMAND ${CMAKE_CPACK_COMMAND} --config ${CMAKE_BINARY_DIR}/CPackConfig.cmake
  WORKING_DIRECTORY ${CMAKE_BINARY_DIR} USES_TERMINAL)
add_dependencies(deb package_files ${package_programs})
