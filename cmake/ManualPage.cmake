# stc.1 from what `stc --help` and each command's --help print.
#   cmake -DSTC=PROGRAM -DVERSION=X -DOUTPUT=FILE -P ManualPage.cmake
function(help_of result)
  execute_process(COMMAND ${STC} ${ARGN} --help OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

# As it stands: no filling, no control characters of roff.
function(add_section title text)
  string(REPLACE "\\" "\\e" text "${text}")
  string(REPLACE "-" "\\-" text "${text}")
  string(REGEX REPLACE "(^|\n)([.'])" "\\1\\\\&\\2" text "${text}")
  file(APPEND ${OUTPUT} ".SH ${title}\n.nf\n${text}.fi\n")
endfunction()

# A section for each command that the help lists, and after it those of its own commands.
function(add_commands help)
  # The list ends at an empty line, before the examples.
  string(REGEX MATCH "\nSubcommands:(\n  [^\n]+)*" list "${help}")
  string(REGEX MATCHALL "\n  [a-z0-9-]+ " commands "${list}")
  foreach(command IN LISTS commands)
    string(STRIP "${command}" command)
    help_of(text ${ARGN} ${command})
    list(JOIN ARGN " " parents)
    string(STRIP "${parents} ${command}" title)
    string(TOUPPER "stc ${title}" title)
    add_section("\"${title}\"" "${text}")
    add_commands("${text}" ${ARGN} ${command})
  endforeach()
endfunction()

help_of(overview)
string(REGEX MATCH "^[^\n]*" summary "${overview}")
string(REGEX REPLACE "^stc " "" summary "${summary}")
file(WRITE ${OUTPUT} ".TH STC 1 \"\" \"stc ${VERSION}\"\n.SH NAME\nstc \\- ${summary}\n")
add_section(SYNOPSIS "${overview}")
add_commands("${overview}")
