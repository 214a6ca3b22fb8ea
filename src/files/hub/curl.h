// The functions of libcurl that we call, found in its library when they are needed.
#pragma once

#if __has_include(<curl/curl.h>)
#include <curl/curl.h>
#define RUNG_CURL

#include "files/hub/library.h"

namespace rung {

struct Curl {
  const Library library{
      {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.4.dylib"}, "libcurl", "apt-get install libcurl4"};
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_easy_setopt) set = nullptr;
  decltype(&::curl_easy_getinfo) info = nullptr;
  decltype(&::curl_easy_strerror) words = nullptr;
  decltype(&::curl_multi_init) multi_init = nullptr;
  decltype(&::curl_multi_cleanup) multi_cleanup = nullptr;
  decltype(&::curl_multi_add_handle) multi_add = nullptr;
  decltype(&::curl_multi_remove_handle) multi_remove = nullptr;
  decltype(&::curl_multi_perform) multi_perform = nullptr;
  decltype(&::curl_multi_poll) multi_poll = nullptr;
  decltype(&::curl_multi_info_read) multi_info = nullptr;
  decltype(&::curl_slist_append) list_append = nullptr;
  decltype(&::curl_slist_free_all) list_free = nullptr;
  decltype(&::curl_url) url = nullptr;
  decltype(&::curl_url_cleanup) url_cleanup = nullptr;
  decltype(&::curl_url_set) url_set = nullptr;
  decltype(&::curl_url_get) url_get = nullptr;
  decltype(&::curl_free) free = nullptr;

  Curl() {
    library.find(global_init, "curl_global_init");
    library.find(easy_init, "curl_easy_init");
    library.find(easy_cleanup, "curl_easy_cleanup");
    library.find(set, "curl_easy_setopt");
    library.find(info, "curl_easy_getinfo");
    library.find(words, "curl_easy_strerror");
    library.find(multi_init, "curl_multi_init");
    library.find(multi_cleanup, "curl_multi_cleanup");
    library.find(multi_add, "curl_multi_add_handle");
    library.find(multi_remove, "curl_multi_remove_handle");
    library.find(multi_perform, "curl_multi_perform");
    library.find(multi_poll, "curl_multi_poll");
    library.find(multi_info, "curl_multi_info_read");
    library.find(list_append, "curl_slist_append");
    library.find(list_free, "curl_slist_free_all");
    library.find(url, "curl_url");
    library.find(url_cleanup, "curl_url_cleanup");
    library.find(url_set, "curl_url_set");
    library.find(url_get, "curl_url_get");
    library.find(free, "curl_free");
    global_init(CURL_GLOBAL_DEFAULT);
  }
};

inline const Curl& curl() {
  static const Curl kCurl;
  return kCurl;
}

}  // namespace rung

#endif
