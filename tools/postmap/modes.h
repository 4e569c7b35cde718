/// What postmap and postalias do: a function for each mode. They return the exit status, or the error that
/// ends the program.
#pragma once

#include "libconf/result.h"
#include "tools/postmap/session.h"

namespace postmap {

libconf::Result<int> query_key(Session& session);      ///< -q KEY
libconf::Result<int> query_keys(Session& session);     ///< -q -
libconf::Result<int> query_message(Session& session);  ///< -q - with -b or -h
libconf::Result<int> delete_key(Session& session);     ///< -d KEY
libconf::Result<int> delete_keys(Session& session);    ///< -d -
libconf::Result<int> list_entries(Session& session);   ///< -s
libconf::Result<int> add_entries(Session& session);    ///< -i
libconf::Result<int> build_tables(Session& session);   ///< no option
libconf::Result<int> build_all(Session& session);      ///< --all
libconf::Result<int> verify_tables(Session& session);  ///< --verify
libconf::Result<int> test_tables(Session& session);    ///< --test

}  // namespace postmap
