# The engine in a web page: WebAssembly with SIMD and one thread, by Debian's emscripten (web/README.md).

# Headers that are the same for every machine, and nothing else of the system's.
set(headers ${PROJECT_BINARY_DIR}/include)
file(MAKE_DIRECTORY ${headers})
foreach(library fmt nlohmann)
  if(NOT EXISTS /usr/include/${library})
    message(FATAL_ERROR "/usr/include/${library}: not there; Debian's libfmt-dev and nlohmann-json3-dev bring the two")
  endif()
  file(CREATE_LINK /usr/include/${library} ${headers}/${library} SYMBOLIC)
endforeach()
foreach(target fmt::fmt nlohmann_json::nlohmann_json Threads::Threads)
  add_library(${target} INTERFACE IMPORTED)
endforeach()
target_include_directories(fmt::fmt INTERFACE ${headers})
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)

# The engine throws. A browser that lacks SIMD is older than all that this is tested with.
add_compile_options(-fexceptions -msimd128 "SHELL:-include ${PROJECT_SOURCE_DIR}/cmake/emscripten_bit_cast.h")
add_link_options(-fexceptions)
