module gofiles

go 1.26
