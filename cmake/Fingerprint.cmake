# Writes a header with a hash of the sources that decide what rows and results are computed:
#   cmake -DOUT=header.h -DROOT=source-dir -DEXTRA=text -DFILES=list-file -P Fingerprint.cmake
# The list file names one file a line, relative to ROOT. The header is only written when the hash changes.
file(STRINGS ${FILES} files)
set(text "${EXTRA}\n")
foreach(file IN LISTS files)
  file(SHA256 ${ROOT}/${file} hash)
  string(APPEND text "${file} ${hash}\n")
endforeach()
string(SHA256 fingerprint "${text}")
string(SUBSTRING ${fingerprint} 0 12 fingerprint)
file(CONFIGURE OUTPUT ${OUT} CONTENT [[// Made by cmake/Fingerprint.cmake.
#pragma once
#define PORTRAIT_BUILD_FINGERPRINT "@fingerprint@"
]] @ONLY)
