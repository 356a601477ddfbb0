export { Skeleton as default } from "./_components/skeleton";
