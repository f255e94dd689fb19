// The one place that turns MPI's return codes into errors. No mpi.h here.
#pragma once

namespace stc::dist {

/// Throws stc::Error (kLostRank) with the call's name and MPI's own message unless code is
/// MPI_SUCCESS.
void check_mpi(int code, const char* call);

}  // namespace stc::dist
