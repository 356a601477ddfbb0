export const rate = "rate-1";
