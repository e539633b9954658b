# Third-party libraries, each by the name the rooms use. Debian 12's packages are the base line.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(date REQUIRED)
find_package(mimalloc REQUIRED)
find_package(prometheus-cpp REQUIRED)
pkg_check_modules(libdeflate REQUIRED IMPORTED_TARGET libdeflate)
pkg_check_modules(libsystemd REQUIRED IMPORTED_TARGET libsystemd)
if(RDKAFKA_ROOT)
  set(ENV{PKG_CONFIG_PATH} "${RDKAFKA_ROOT}/lib/pkgconfig:$ENV{PKG_CONFIG_PATH}")
endif()
pkg_check_modules(rdkafka REQUIRED IMPORTED_TARGET rdkafka>=2.0.2)

# Asio, Beast and Boost.JSON with their own code compiled once: whoever includes them links tickbridge_boost.
# tickbridge_settings must come along, because a sanitizer has to see both sides of every header.
add_library(tickbridge_asio STATIC cmake/asio.cc cmake/ssl.cc cmake/beast.cc cmake/json.cc)
target_link_libraries(tickbridge_asio PUBLIC Boost::headers OpenSSL::SSL Threads::Threads PRIVATE tickbridge_settings)
target_compile_definitions(tickbridge_asio PUBLIC
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION)
add_library(tickbridge_boost INTERFACE)
target_link_libraries(tickbridge_boost INTERFACE tickbridge_asio)
