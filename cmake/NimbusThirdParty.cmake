# Third-party libraries, all Debian packages; each is used by one wrapper folder
# only (tests/layers has the table). pkg-config gives the flags that the Debian
# builds were made with.
find_package(PkgConfig REQUIRED)
pkg_check_modules(FMT REQUIRED IMPORTED_TARGET fmt)
pkg_check_modules(SPDLOG REQUIRED IMPORTED_TARGET spdlog)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET openssl)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(GIT2 REQUIRED IMPORTED_TARGET libgit2)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.87)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(LZMA REQUIRED IMPORTED_TARGET liblzma)
pkg_check_modules(LIBSSH REQUIRED IMPORTED_TARGET libssh>=0.10.6)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
