set -e
mkdir -p out
sed 's/^/# /' notes.txt > out/notes.md
CGO_ENABLED=0 go build -o out/server .
