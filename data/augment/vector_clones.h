// Loops that are compiled for wider vectors, too; which of them runs is settled when the program
// starts.
#pragma once

// Sums are not contracted (data/CMakeLists.txt), so all of them give the same bits. A sanitizer's
// runtime is not there yet when the choice is made.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define STC_VECTOR_CLONES [[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]]
#else
#define STC_VECTOR_CLONES
#endif
