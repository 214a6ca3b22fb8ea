# cmake -DFROM=course/exercises -DEMULATOR=emulator -DTO=exercise_files.cpp -P: the texts, stubs, solutions and hints of
# all exercises, the headers that a learner's file needs, and the emulator that runs their kernels, as strings of the
# program.
set(code "// Made by cmake/exercise_files.cmake.\n#include \"cli/learn/exercise_files.h\"\n\nnamespace rung {\n\n")
string(APPEND code "std::span<const ExerciseFile> exercise_files() {\n  static const ExerciseFile files[]{\n")
function(add_files folder prefix)
  file(GLOB paths LIST_DIRECTORIES false RELATIVE ${folder} ${ARGN})
  foreach(path IN LISTS paths)
    file(READ "${folder}/${path}" text)
    string(APPEND code "      {\"${prefix}${path}\", R\"rung~(${text})rung~\"},\n")
  endforeach()
  set(code "${code}" PARENT_SCOPE)
endfunction()
add_files(${FROM} "" ${FROM}/*.h ${FROM}/*.md ${FROM}/*/exercise.json ${FROM}/*/text.md ${FROM}/*/stub.cpp
  ${FROM}/*/solution.cpp ${FROM}/*/stub.metal ${FROM}/*/solution.metal ${FROM}/*/hints.md)
add_files(${EMULATOR} "emulator/" ${EMULATOR}/*.py ${EMULATOR}/*.h ${EMULATOR}/runtime/* ${EMULATOR}/shim/*
  ${EMULATOR}/shim/msl/*)
string(APPEND code "  };\n  return files;\n}\n\n}  // namespace rung\n")
file(WRITE ${TO} "${code}")
