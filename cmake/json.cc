// Boost.JSON's own code, compiled once for every program that includes its headers.
#include <boost/json/src.hpp>
