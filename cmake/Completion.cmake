# Completion of command lines: each program prints what bash, fish and zsh are to read, from the table of options that it
# parses its own with. Installed where the shells look for it, by the name that they look for.
function(postkit_complete)
  if(CMAKE_CROSSCOMPILING)
    return()
  endif()
  set(places_bash ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  set(places_fish ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
  set(places_zsh ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  set(all)
  foreach(program IN LISTS ARGN)
    set(name_bash ${program})
    set(name_fish ${program}.fish)
    set(name_zsh _${program})
    foreach(shell bash fish zsh)
      set(file ${PROJECT_BINARY_DIR}/completion/${shell}/${name_${shell}})
      add_custom_command(
        OUTPUT ${file}
        COMMAND ${program} --completion=${shell} > ${file}
        DEPENDS ${program}
        VERBATIM)
      install(FILES ${file} DESTINATION ${places_${shell}})
      list(APPEND all ${file})
    endforeach()
  endforeach()
  foreach(shell bash fish zsh)
    file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/completion/${shell})
  endforeach()
  add_custom_target(completion ALL DEPENDS ${all})
endfunction()
