// Boost.Beast's own code, compiled once for every program (BOOST_BEAST_SEPARATE_COMPILATION).
#include <boost/beast/src.hpp>
