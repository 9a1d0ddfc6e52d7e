#ifndef OCRPIPE_TESTS_SUPPORT_FAILING_FILES_HPP
#define OCRPIPE_TESTS_SUPPORT_FAILING_FILES_HPP

#include <functional>
#include <string>

/// While this lives, changes and syncs of the files below a folder fail with EIO if they are told to. The
/// others are made, except that nothing in the process is synced: it takes long, and nobody cuts the power.
///
/// A program links support/failing_files.cpp for it, whose functions replace those of the C library. Unlike
/// ocrpipe_fault_files, it can be set up anew in the same process. One at a time.
class failing_files
{
public:
    /// `fails` is called for each change, on the thread that makes it.
    failing_files(std::string folder, std::function<bool()> fails);
    ~failing_files();
    failing_files(failing_files const&) = delete;
    failing_files& operator=(failing_files const&) = delete;

    std::string const folder;
    std::function<bool()> const fails;
};

#endif
