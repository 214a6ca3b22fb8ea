# `cmake --build BUILD --target package`: a .deb and a .tar.gz of what is installed.
set(CPACK_GENERATOR DEB TGZ)
if(NOT EXISTS /usr/bin/dpkg)
  set(CPACK_GENERATOR TGZ)
endif()
set(CPACK_PACKAGE_NAME rung)
set(CPACK_PACKAGE_VENDOR Rung)
set(CPACK_PACKAGE_CONTACT "the authors of Rung")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "runs language models on your machine, and shows how they work")
set(CPACK_PACKAGE_DESCRIPTION "One program that reads a model as it lies on the hub (safetensors or GGUF),
talks with it, and shows every step; with the library that it is made of.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)  # the libraries that the program needs, found by dpkg-shlibdeps
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libcurl4, libssl3, ca-certificates")  # opened when a model is pulled from the hub
# To pull models; to build against it; to write parts of it (rung learn).
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "python3-pip, libfmt-dev, nlohmann-json3-dev, g++, clang-19, llvm-19")
include(CPack)
