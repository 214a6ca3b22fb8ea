// An Error, in one line, that says what it should.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace rung {

template <class Action>
void expect_error(Action action, const std::string& part) {
  try {
    action();
    ADD_FAILURE() << "no error; expected one with: " << part;
  } catch (const Error& e) {
    const std::string what = e.what();
    EXPECT_NE(what.find(part), std::string::npos) << what << "\nexpected: " << part;
    EXPECT_EQ(what.find('\n'), std::string::npos) << what;
    EXPECT_LT(what.size(), 1000u) << what;
  }
}

}  // namespace rung
