# Everything comes from Debian's packages (deploy/install.sh). What ships no CMake file gets an imported target here.
# Installed too, for find_package(portrait).
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
find_package(Boost 1.74 REQUIRED)  # headers: Beast and Asio

find_package(PkgConfig REQUIRED)
pkg_check_modules(rdkafka REQUIRED IMPORTED_TARGET rdkafka)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(nlopt REQUIRED IMPORTED_TARGET nlopt)
pkg_check_modules(xgboost REQUIRED IMPORTED_TARGET xgboost)
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
find_package(OpenSSL REQUIRED)  # its header calls the library, which Debian 13's pkg-config file does not name
target_link_libraries(PkgConfig::httplib INTERFACE OpenSSL::Crypto)

function(portrait_import_library name header)
  if(TARGET portrait_${name})
    return()
  endif()
  find_library(${name}_LIBRARY ${name} REQUIRED)
  find_path(${name}_INCLUDE ${header} REQUIRED)
  add_library(portrait_${name} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(portrait_${name} PROPERTIES
    IMPORTED_LOCATION ${${name}_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${${name}_INCLUDE})
endfunction()
portrait_import_library(csv csv.h)
