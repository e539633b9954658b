#pragma once

#include <string_view>

namespace tickbridge::ops {

/// A file of src/ops/dashboard, as cmake/embed.cmake has put it into the program.
struct Asset {
  const char* type;  ///< for Content-Type
  std::string_view bytes;
};

extern const Asset kDashboardPage;  ///< index.html, with {{places}} to fill in: see index.cc
extern const Asset kDashboardIcon;
extern const Asset kDashboardStyle;
extern const Asset kDashboardScript;
extern const Asset kDashboardDom;
extern const Asset kDashboardFormat;
extern const Asset kDashboardModel;
extern const Asset kDashboardPanel;
extern const Asset kDashboardView;

}  // namespace tickbridge::ops
