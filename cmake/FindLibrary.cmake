# postkit_find_library(VARIABLE NAME [NEEDS...]): sets VARIABLE to the library NAME. The tools start fast because they load few
# shared libraries: taken are the static archives of NAME, and of what it NEEDS, where all of them are there; otherwise the
# shared library.
function(postkit_find_library variable name)
  set(archives "")
  foreach(part ${name} ${ARGN})
    find_library(POSTKIT_${part}_ARCHIVE NAMES lib${part}.a)
    mark_as_advanced(POSTKIT_${part}_ARCHIVE)
    list(APPEND archives ${POSTKIT_${part}_ARCHIVE})
  endforeach()
  if(NOT archives MATCHES "NOTFOUND")
    set(${variable} ${archives} PARENT_SCOPE)
    return()
  endif()
  find_library(POSTKIT_${name}_LIBRARY NAMES ${name} REQUIRED)
  mark_as_advanced(POSTKIT_${name}_LIBRARY)
  set(${variable} ${POSTKIT_${name}_LIBRARY} PARENT_SCOPE)
endfunction()
