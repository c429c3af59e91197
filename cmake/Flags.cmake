# Flags that every target of ours takes through portrait_flags; -ffp-contract=off because two builds that round
# differently would compute different rows from the same steps. -Wno-restrict: GCC 12 sees overlaps in std::string that are
# none (GCC bug 105651).
add_library(portrait_flags INTERFACE)
target_include_directories(portrait_flags INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>)
target_compile_options(portrait_flags INTERFACE
  $<BUILD_INTERFACE:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wnon-virtual-dtor;-Woverloaded-virtual;-Wno-missing-field-initializers>
  $<BUILD_INTERFACE:$<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>>
  -ffp-contract=off)
if(PORTRAIT_WERROR)
  target_compile_options(portrait_flags INTERFACE $<BUILD_INTERFACE:-Werror>)
endif()
if(PORTRAIT_SANITIZE STREQUAL "thread")
  # GCC 12 sees uninitialised variants under this sanitizer where there are none; the release build has the warning on.
  target_compile_options(portrait_flags INTERFACE $<BUILD_INTERFACE:$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>>)
endif()
if(PORTRAIT_SANITIZE)
  add_compile_options(-fsanitize=${PORTRAIT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PORTRAIT_SANITIZE})
  if(PORTRAIT_SANITIZE MATCHES "undefined")
    # A fifth of the time to build, for what the address sanitizer sees as well.
    add_compile_options(-fno-sanitize=null,vptr,object-size)
  endif()
endif()
