import type { Metadata, Viewport } from "next";
import { connection } from "next/server";
import { Footer } from "@/components/footer";
import { Header } from "@/components/frame/header";
import { Reconnect } from "@/components/frame/reconnect";
import { SessionBanner } from "@/components/frame/session-banner";
import { sessionOfRequest } from "@/lib/load";
import { sessionMark } from "@/lib/session-mark";
import "./globals.css";
import { Providers } from "./providers";

export const metadata: Metadata = {
  title: "zr",
  description: "The services of the stack and their health",
};

export const viewport: Viewport = {
  colorScheme: "light dark",
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#f7f7f5" },
    { media: "(prefers-color-scheme: dark)", color: "#101113" },
  ],
};

export default async function RootLayout({ children }: LayoutProps<"/">) {
  // No page is built in advance: the scripts of each carry the nonce of its own policy.
  await connection();
  const mark = sessionMark(await sessionOfRequest());
  return (
    <html lang="en">
      <body className="flex min-h-dvh flex-col bg-canvas font-sans text-ink text-sm antialiased">
        <Providers>
          <Header />
          <Reconnect loggedIn={mark !== null} />
          <SessionBanner mark={mark} />
          <main
            id="content"
            tabIndex={-1}
            className="mx-auto w-full max-w-7xl 2xl:max-w-384 flex-1 px-4 py-6 outline-none sm:px-6"
          >
            {children}
          </main>
          <Footer />
        </Providers>
      </body>
    </html>
  );
}
