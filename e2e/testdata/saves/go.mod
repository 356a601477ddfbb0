module saves

go 1.26
