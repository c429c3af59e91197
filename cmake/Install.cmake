# The installed package: libraries, headers, contracts, and what find_package(portrait) needs.
#
#   find_package(portrait REQUIRED)
#   target_link_libraries(loyalty PUBLIC portrait::operators)
#   target_link_libraries(loyalty_test PRIVATE loyalty portrait::testing)
#   target_link_libraries(portrait-loyalty PRIVATE loyalty portrait::cli)  # the program, with the operator in its chain
#
# Headers keep their paths: #include "operators/operator.h", #include "portrait/v1/event.pb.h". The .proto files lie in
# ${portrait_PROTO_DIR}, for states and results of one's own that import them.
include(CMakePackageConfigHelpers)

set(modules flags page proto state operators testing pipeline tools training view cli)
set(installed)
foreach(module ${modules})
  if(TARGET portrait_${module})
    list(APPEND installed portrait_${module})
    set_target_properties(portrait_${module} PROPERTIES EXPORT_NAME ${module})
    add_library(portrait::${module} ALIAS portrait_${module})
  endif()
endforeach()

set(header_dir ${CMAKE_INSTALL_INCLUDEDIR}/portrait)
target_include_directories(portrait_flags INTERFACE $<INSTALL_INTERFACE:${header_dir}>)
target_include_directories(portrait_proto PUBLIC $<INSTALL_INTERFACE:${header_dir}>)

install(TARGETS ${installed} EXPORT portraitTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET portrait)
  install(TARGETS portrait RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

foreach(folder state operators pipeline view)
  if(IS_DIRECTORY ${CMAKE_SOURCE_DIR}/${folder})
    install(DIRECTORY ${CMAKE_SOURCE_DIR}/${folder} DESTINATION ${header_dir} FILES_MATCHING PATTERN "*.h")
  endif()
endforeach()
install(DIRECTORY ${CMAKE_BINARY_DIR}/proto/portrait DESTINATION ${header_dir} FILES_MATCHING PATTERN "*.pb.h")
install(DIRECTORY ${CMAKE_SOURCE_DIR}/proto/portrait DESTINATION ${CMAKE_INSTALL_DATADIR}/portrait/proto
  FILES_MATCHING PATTERN "*.proto")

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/portrait)
set(PROTO_DIR ${CMAKE_INSTALL_DATADIR}/portrait/proto)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/portraitConfig.cmake.in ${CMAKE_BINARY_DIR}/portraitConfig.cmake
  INSTALL_DESTINATION ${package_dir} PATH_VARS PROTO_DIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/portraitConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/portraitConfig.cmake ${CMAKE_BINARY_DIR}/portraitConfigVersion.cmake
  ${CMAKE_CURRENT_LIST_DIR}/Dependencies.cmake DESTINATION ${package_dir})
install(EXPORT portraitTargets NAMESPACE portrait:: DESTINATION ${package_dir})
