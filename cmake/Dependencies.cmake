# Everything comes from Debian's packages (deploy/install.sh). What ships no CMake file gets an imported target here.
find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(absl REQUIRED)
find_package(RocksDB REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(simdjson REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(mimalloc REQUIRED)
find_package(ZLIB REQUIRED)

find_package(PkgConfig REQUIRED)
pkg_check_modules(rdkafka REQUIRED IMPORTED_TARGET rdkafka)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)

function(portrait_import_library name header)
  find_library(${name}_LIBRARY ${name} REQUIRED)
  find_path(${name}_INCLUDE ${header} REQUIRED)
  add_library(portrait_${name} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(portrait_${name} PROPERTIES
    IMPORTED_LOCATION ${${name}_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${${name}_INCLUDE})
endfunction()
portrait_import_library(csv csv.h)
portrait_import_library(cpp-httplib httplib.h)
add_library(portrait_httplib INTERFACE)
# As Debian's library is built: the macros decide the layout of its classes.
target_compile_definitions(portrait_httplib INTERFACE
  CPPHTTPLIB_OPENSSL_SUPPORT CPPHTTPLIB_ZLIB_SUPPORT CPPHTTPLIB_BROTLI_SUPPORT)
target_link_libraries(portrait_httplib INTERFACE portrait_cpp-httplib)
