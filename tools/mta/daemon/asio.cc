// The code of asio that its headers only declare; see postkit_asio.
#include <asio/impl/src.hpp>
#include <asio/ssl/impl/src.hpp>
