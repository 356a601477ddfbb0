/** Hands a text to the browser, which keeps it as a file; returns what it has handed over. */
export function saveAs(name: string, text: string, type: string): Blob {
  const blob = new Blob([text], { type });
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
  return blob;
}
