package main

import (
	"database/sql"
	"net/http"
	"os"

	_ "github.com/lib/pq"
)

func main() {
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/increment", func(answer http.ResponseWriter, _ *http.Request) {
		var value int
		err := db.QueryRow("select value from counter where id = $1", 1).Scan(&value)
		if err == nil {
			_, err = db.Exec("update counter set value = $1 where id = $2", value+1, 1)
		}
		if err != nil {
			http.Error(answer, err.Error(), 500)
		}
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
