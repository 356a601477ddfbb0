set -e
mkdir -p out
sed 's/^/# /' notes.txt > out/notes.md
go build -o out/server .
