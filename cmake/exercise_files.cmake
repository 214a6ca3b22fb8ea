# cmake -DFROM=course/exercises -DTO=exercise_files.cpp -P: the texts, stubs, solutions and hints of all exercises, and
# the headers that a learner's file needs, as strings of the program.
file(GLOB paths RELATIVE ${FROM} ${FROM}/*.h ${FROM}/*.md ${FROM}/*/exercise.json ${FROM}/*/text.md ${FROM}/*/stub.cpp
  ${FROM}/*/solution.cpp ${FROM}/*/hints.md)
set(code "// Made by cmake/exercise_files.cmake.\n#include \"cli/learn/exercise_files.h\"\n\nnamespace rung {\n\n")
string(APPEND code "std::span<const ExerciseFile> exercise_files() {\n  static const ExerciseFile files[]{\n")
foreach(path IN LISTS paths)
  file(READ "${FROM}/${path}" text)
  string(APPEND code "      {\"${path}\", R\"rung~(${text})rung~\"},\n")
endforeach()
string(APPEND code "  };\n  return files;\n}\n\n}  // namespace rung\n")
file(WRITE ${TO} "${code}")
