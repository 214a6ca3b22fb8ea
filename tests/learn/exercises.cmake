# course/exercises/*/{stub,solution,wrong/*}.cpp, compiled for the tests: two files a milestone, each learner's file in
# a namespace of its own, so that learn.h is read twice for all of them. What is compiled by itself, with the flags
# that learners have, is tested through `rung learn` (tests/cli) and in the page.
set(made ${CMAKE_CURRENT_BINARY_DIR}/exercises)
file(GLOB folders CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/course/exercises/*/exercise.json)
foreach(json ${folders})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${json})
  cmake_path(GET json PARENT_PATH folder)
  cmake_path(GET folder FILENAME exercise)
  file(READ ${json} about)
  string(JSON function GET ${about} function)
  string(JSON signature GET ${about} signature)
  string(JSON milestone GET ${about} milestone)
  file(GLOB files CONFIGURE_DEPENDS RELATIVE ${folder} ${folder}/*.cpp ${folder}/wrong/*.cpp)
  foreach(file ${files})
    string(MAKE_C_IDENTIFIER "${exercise}_${file}" space)
    set(part ${milestone})
    if(file MATCHES "^wrong/")
      set(part ${milestone}_wrong)
    endif()
    list(APPEND parts ${part})
    string(APPEND text_${part} "
namespace ${space} {
#include \"exercises/${exercise}/${file}\"
}
static const CompiledFile made_of_${space}(\"${exercise}\", \"${file}\", [](RungValue* values) {
  rung_entry::call(static_cast<rung_entry::Pointer<${signature}>>(&${space}::${function}), values);
});
")
  endforeach()
endforeach()
list(REMOVE_DUPLICATES parts)
foreach(part ${parts})
  file(CONFIGURE OUTPUT ${made}/${part}.cpp CONTENT "// Generated from course/exercises/.
#include \"exercises/learn.h\"
#include \"exercises/entry.h\"
#include \"learn/slow/compiled.h\"
using rung::learn::CompiledFile;
${text_${part}}" @ONLY)
  list(APPEND sources_of_exercises ${made}/${part}.cpp)
  if(part MATCHES "_wrong$")  # what the compiler warns of may be what is wrong
    set_source_files_properties(${made}/${part}.cpp PROPERTIES COMPILE_OPTIONS -w)
  endif()
endforeach()

add_library(exercises_of_tests OBJECT ${sources_of_exercises})
target_include_directories(exercises_of_tests PRIVATE
  ${PROJECT_SOURCE_DIR}/course ${PROJECT_SOURCE_DIR}/course/exercises ${PROJECT_SOURCE_DIR}/tests)
target_compile_options(exercises_of_tests PRIVATE
  -O1 -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -ffp-contract=off)
if(RUNG_SANITIZE)
  target_compile_options(exercises_of_tests PRIVATE -fsanitize=${RUNG_SANITIZE} -fno-sanitize-recover=all)
endif()
target_link_libraries(test_learn_slow PRIVATE exercises_of_tests)
